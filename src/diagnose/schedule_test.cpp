#include "diagnose/schedule.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::diagnose {
namespace {

TEST(Schedule, KnowsTheClocksOfSystems) {
    struct Case {
        const char* name;
        std::vector<double> times;  // seconds
        std::string shape;
        std::string looks_like;
    };
    const Case cases[] = {
        {"Linux without linear timeouts",
         {0, 1.02, 3.03, 7.19, 15.4, 31.5, 64.5},
         "exponential",
         "Linux, or Windows 8 and later"},
        {"Linux since 6.5",
         {0, 1, 2, 3.06, 4.08, 5.1, 7.1, 11.3, 19.5, 35.6, 68.6},
         "linear-exponential",
         "Linux 6.5 and later"},
        {"Apple", {0, 1.0, 2.1, 3.2, 4.3, 5.4, 7.5}, "linear-exponential", "Apple or BSD"},
        {"Windows 7", {0, 3, 9}, "exponential", "Windows 7 and earlier"},
        {"Windows 10", {0, 1, 3, 7, 15}, "exponential", "Linux, or Windows 8 and later"},
        {"Windows behind a reset", {0, .55, 1.11}, "constant", "Windows repeating after a reset"},
        {"STUN", {0, .5, 1.5, 3.5, 7.5, 15.5, 31.5}, "exponential", ""},
        {"two attempts", {0, 1}, "unknown", ""},
        {"no clock at all", {0, 2.7, 3.1, 19}, "unknown", ""},
        {"backwards", {0, -1, -3}, "unknown", ""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        std::vector<Time> times;
        for (const double time : c.times) times.push_back(static_cast<Time>(1e9 * (1000 + time)));
        const Schedule schedule = classify(times);
        EXPECT_EQ(schedule.shape, c.shape);
        EXPECT_EQ(schedule.looks_like, c.looks_like);
    }
}

}  // namespace
}  // namespace sallyport::diagnose
