find_package(nlohmann_json REQUIRED)
target_link_libraries(admin PUBLIC nlohmann_json::nlohmann_json)
