find_library(UNISTRING unistring REQUIRED)
target_link_libraries(turn PUBLIC ${UNISTRING})
