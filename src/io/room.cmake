find_package(OpenSSL REQUIRED)
target_link_libraries(io PUBLIC OpenSSL::SSL OpenSSL::Crypto)
