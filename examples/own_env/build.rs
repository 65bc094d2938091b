//! Lets the program find libtorch at run time, where heirloom found it at build time.
fn main() {
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", std::env::var("DEP_HEIRLOOM_LIBTORCH").unwrap());
}
