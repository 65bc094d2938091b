//! What the bits of a result depend on beside the seed: recorded in every card, so that a differing digest can be told from a fault.

use super::Activation;

/// The libtorch that this program is built against.
pub const LIBTORCH: &str = env!("HEIRLOOM_LIBTORCH_VERSION");

/// The vector unit that libtorch picks on this machine; `ATEN_CPU_CAPABILITY` overrides it there too.
#[must_use]
pub fn cpu_capability() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq");
        if avx2 && avx512 {
            return "AVX512";
        }
        if avx2 {
            return "AVX2";
        }
    }
    "DEFAULT"
}

/// One line: which way networks are computed, and what that way's bits depend on.
#[must_use]
pub fn describe(activation: &Activation) -> String {
    let way = if activation.is_fused() { "fused kernel" } else { "libtorch" };
    format!("{way}, libtorch {LIBTORCH}, {}", cpu_capability())
}
