find_package(OpenSSL REQUIRED)
target_link_libraries(crypto PUBLIC OpenSSL::Crypto)
