# The core library alone, by its name: the package's own CMake file also wants curl and a web server.
find_library(PROMETHEUS_CORE prometheus-cpp-core REQUIRED)
target_link_libraries(telemetry PRIVATE ${PROMETHEUS_CORE})
