// The one list of what is looked for.
#include "diagnose/detectors/all.hpp"

#include <array>

namespace sallyport::diagnose {

std::span<const DetectorRow> detectors() {
    static constexpr std::array table{
        DetectorRow{"silent SYN", Sees::nothing, make_silent_syn},
        DetectorRow{"half open", Sees::nothing, make_half_open},
        DetectorRow{"refused", Sees::nothing, make_refused},
        DetectorRow{"ICMP rejects", Sees::nothing, make_icmp_rejects},
        DetectorRow{"forged reset", Sees::nothing, make_forged_reset},
        DetectorRow{"server first", Sees::nothing,
                    make_server_first},  // behind "silent SYN", whose findings it completes
        DetectorRow{"one-sided", Sees::nothing, make_one_sided},
        DetectorRow{"path MTU", Sees::nothing, make_path_mtu},
        DetectorRow{"died silently", Sees::nothing,
                    make_died_silently},  // behind "path MTU", which is the better reason
        DetectorRow{"NAT source", Sees::both, make_nat_source},
        DetectorRow{"TLS", Sees::tcp, make_tls},
        DetectorRow{"DNS", Sees::both, make_dns},
        DetectorRow{"STUN", Sees::udp, make_stun},
        DetectorRow{"ICE", Sees::udp, make_ice},
        DetectorRow{"media", Sees::both, make_media},
        DetectorRow{"signaling", Sees::both, make_signaling},
    };
    return table;
}

}  // namespace sallyport::diagnose
