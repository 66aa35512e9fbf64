# The other opinions on LDAP and DNS; the program itself links none of them.
if(SALLYPORT_TESTS OR SALLYPORT_FUZZ)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(OPENLDAP REQUIRED IMPORTED_TARGET ldap lber)
  pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)
  set(test_libraries PkgConfig::OPENLDAP PkgConfig::LDNS)
endif()
