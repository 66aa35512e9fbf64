// The detectors, each a file of this folder.
#pragma once

#include "diagnose/detector.hpp"

#include <memory>

namespace sallyport::diagnose {

std::unique_ptr<Detector> make_silent_syn();
std::unique_ptr<Detector> make_half_open();
std::unique_ptr<Detector> make_refused();
std::unique_ptr<Detector> make_icmp_rejects();
std::unique_ptr<Detector> make_forged_reset();
std::unique_ptr<Detector> make_server_first();
std::unique_ptr<Detector> make_one_sided();
std::unique_ptr<Detector> make_path_mtu();
std::unique_ptr<Detector> make_died_silently();
std::unique_ptr<Detector> make_nat_source();
std::unique_ptr<Detector> make_tls();
std::unique_ptr<Detector> make_dns();
std::unique_ptr<Detector> make_stun();
std::unique_ptr<Detector> make_ice();
std::unique_ptr<Detector> make_media();
std::unique_ptr<Detector> make_signaling();

}  // namespace sallyport::diagnose
