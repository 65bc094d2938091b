//! Meta-learning: a start from which a new task is learned in a handful of episodes.
//!
//! A task is one draw of an environment's distributions. [`chain`] is the inner loop and the way back through it, [`surrogate`] what is descended
//! on, [`task`] one task's episodes; [`learner`] is the outer loop. A method is a [`Recipe`]: which parameters move in the inner loop, whether
//! its derivative is followed to second order, and what the outer loop does with it. Each method's file names its paper. [`rl2`] stands apart: it
//! adapts by remembering.

pub mod adapt;
pub mod anil;
pub mod baseline;
pub mod chain;
pub mod config;
pub mod defaults;
pub mod domain_randomization;
pub mod episodes;
pub mod filmed;
pub mod fomaml;
pub mod learner;
pub mod maml;
pub mod meta_sgd;
pub mod oracle;
pub mod pooled;
pub mod promp;
pub mod recipe;
pub mod reptile;
pub mod rl2;
pub mod sinusoid;
pub mod surrogate;
pub mod task;
pub mod trpo;

pub use config::Config;
pub use learner::{Counts, MakeTask, Meta};
pub use recipe::{Adapts, Inner, Order, Outer, Recipe};
