// Found only where there is no libtorch (.cargo/config.toml places this folder last on the compiler's search path).
// A missing header, unlike an #error, stops the compiler at once and leaves its sentence readable.
#include "libtorch is not in place yet, run `cargo xtask setup` once"
