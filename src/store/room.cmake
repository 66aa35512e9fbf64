find_package(SQLiteCpp REQUIRED)
target_link_libraries(store PUBLIC SQLiteCpp)
