# One interface target, `flags`, that every room, test and tool links.
add_library(flags INTERFACE)
target_include_directories(flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wimplicit-fallthrough -fno-omit-frame-pointer)
target_compile_definitions(flags INTERFACE SALLYPORT_VERSION="${PROJECT_VERSION}")
target_link_options(flags INTERFACE -fuse-ld=lld)
if(SALLYPORT_WERROR)
  target_compile_options(flags INTERFACE -Werror)
endif()

if(SALLYPORT_SANITIZE)
  target_compile_options(flags INTERFACE -fsanitize=${SALLYPORT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(flags INTERFACE -fsanitize=${SALLYPORT_SANITIZE})
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  target_compile_options(flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_link_options(flags INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
  # What did not change is not optimized again at the next link.
  target_link_options(flags INTERFACE -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto-cache)
endif()
