#include "turn/integrity.hpp"

#include "crypto/hash.hpp"

#include <algorithm>
#include <string>

namespace sallyport::turn {

Key long_term_key(PasswordAlgorithm algorithm, std::string_view user, std::string_view realm,
                  std::string_view password) {
    std::string text;
    text.append(user).append(":").append(realm).append(":").append(password);
    Key key{.algorithm = algorithm};
    const auto take = [&key](Bytes digest) {
        std::ranges::copy(digest, key.bytes.begin());
        key.size = static_cast<std::uint8_t>(digest.size());
    };
    if (algorithm == PasswordAlgorithm::md5)
        take(crypto::md5(as_bytes(text)));
    else
        take(crypto::sha256(as_bytes(text)));
    return key;
}

bool verify(const stun::Message& message, stun::Attribute kind, Bytes key) {
    const auto input = message.integrity(kind);
    if (!input) return false;
    const bool is_sha1 = kind == stun::Attribute::message_integrity;
    const std::size_t size = input->value.size();
    if (is_sha1 ? size != std::tuple_size_v<crypto::Sha1> : size < 16 || size > 32 || size % 4 != 0) return false;
    if (is_sha1)
        return crypto::constant_time_equal(crypto::hmac_sha1(key, {input->header, input->attributes}), input->value);
    const auto code = crypto::hmac_sha256(key, {input->header, input->attributes});
    return crypto::constant_time_equal(Bytes(code).first(size), input->value);
}

void sign(stun::MessageWriter& writer, stun::Attribute kind, Bytes key) {
    if (kind == stun::Attribute::message_integrity)
        writer.add(kind, crypto::hmac_sha1(key, {writer.begin_integrity(std::tuple_size_v<crypto::Sha1>)}));
    else
        writer.add(kind, crypto::hmac_sha256(key, {writer.begin_integrity(std::tuple_size_v<crypto::Sha256>)}));
}

}  // namespace sallyport::turn
