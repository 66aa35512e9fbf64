# The other opinion on what the cache gives; the program itself does not link it.
if(SALLYPORT_FUZZ)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)
  set(test_libraries PkgConfig::LDNS)
endif()
