# The other opinion on LDAP; the program itself links neither.
if(SALLYPORT_TESTS)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(OPENLDAP REQUIRED IMPORTED_TARGET ldap lber)
  set(test_libraries PkgConfig::OPENLDAP)
endif()
