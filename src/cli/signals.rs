//! Ctrl-C and SIGTERM: the first asks the loop to stop with a checkpoint, the second ends the process at once.

use crate::error::{Error, Kind, Result};
use crate::stop::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;

/// The wish to stop, connected to signals.
pub(super) fn stop_on_signals() -> Result<Arc<Stop>> {
    let fail = |error| Error::new(Kind::Io, format!("cannot listen to signals: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(fail)?;
    let stop = Arc::new(Stop::new());
    let asked = Arc::clone(&stop);
    let listen = move || {
        for signal in signals.forever() {
            if asked.requested().is_some() {
                super::demo::keyboard::screen::restore();
                signal_hook::low_level::exit(128 + signal);
            }
            asked.request(signal);
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen).map_err(fail)?;
    Ok(stop)
}
