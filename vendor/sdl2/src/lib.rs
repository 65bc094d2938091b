//! A headless stand-in for the `sdl2` crate: the names that gym-rs 0.3 draws with, and an [`init`] that says there is no screen.
//!
//! The real crate compiles SDL2 with cmake, needs a system-wide `SDL2_gfx` to link, and makes every environment of gym-rs
//! `!Send`, all for windows that Heirloom never opens. With this one in its place (`[patch.crates-io]`) gym-rs builds unmodified.
//!
//! Whatever only a successful `init` could hand out is an enum without variants. No value of it exists, so each method is a
//! `match *self {}`: the compiler proves that nothing here can be reached, and no body pretends to draw.
#![allow(
    missing_docs,
    clippy::pedantic,
    clippy::too_many_arguments,
    reason = "names and signatures are sdl2's, and so is their documentation"
)]

/// Refuses: there is no SDL2 behind these names.
pub fn init() -> Result<Sdl, String> {
    Err("this build has no SDL2: create gym-rs environments with RenderMode::None".to_owned())
}

pub enum Sdl {}

impl Sdl {
    pub fn video(&self) -> Result<VideoSubsystem, String> {
        match *self {}
    }
    pub fn event_pump(&self) -> Result<EventPump, String> {
        match *self {}
    }
}

pub enum VideoSubsystem {}

impl VideoSubsystem {
    pub fn window(&self, _title: &str, _width: u32, _height: u32) -> WindowBuilder {
        match *self {}
    }
}

pub enum WindowBuilder {}

impl WindowBuilder {
    pub fn position_centered(&mut self) -> &mut Self {
        match *self {}
    }
    pub fn hidden(&mut self) -> &mut Self {
        match *self {}
    }
    pub fn build(&self) -> Result<Window, String> {
        match *self {}
    }
}

pub enum Window {}

impl Window {
    pub fn into_canvas(self) -> CanvasBuilder {
        match self {}
    }
}

pub enum CanvasBuilder {}

impl CanvasBuilder {
    pub fn accelerated(self) -> Self {
        match self {}
    }
    pub fn build(self) -> Result<render::WindowCanvas, String> {
        match self {}
    }
}

pub enum EventPump {}

impl EventPump {
    pub fn poll_iter(&mut self) -> std::iter::Empty<event::Event> {
        match *self {}
    }
}

pub mod event {
    pub enum Event {
        Quit { timestamp: u32 },
        User { timestamp: u32 },
    }
}

pub mod render {
    use crate::pixels::{Color, PixelFormatEnum};
    use crate::rect::{Point, Rect};

    pub enum WindowCanvas {}

    impl WindowCanvas {
        pub fn set_draw_color(&mut self, _color: Color) {
            match *self {}
        }
        pub fn clear(&mut self) {
            match *self {}
        }
        pub fn present(&mut self) {
            match *self {}
        }
        pub fn draw_lines(&mut self, _points: &[Point]) -> Result<(), String> {
            match *self {}
        }
        pub fn read_pixels(&self, _area: Option<Rect>, _format: PixelFormatEnum) -> Result<Vec<u8>, String> {
            match *self {}
        }
        pub fn texture_creator(&self) -> TextureCreator {
            match *self {}
        }
        pub fn with_texture_canvas(&mut self, _texture: &mut Texture, _draw: impl FnOnce(&mut Self)) -> Result<(), String> {
            match *self {}
        }
        pub fn copy_ex(
            &mut self,
            _texture: &Texture,
            _from: Option<Rect>,
            _to: Option<Rect>,
            _angle: f64,
            _center: Option<Point>,
            _flip_horizontal: bool,
            _flip_vertical: bool,
        ) -> Result<(), String> {
            match *self {}
        }
    }

    pub enum TextureCreator {}

    impl TextureCreator {
        pub fn create_texture_target(&self, _format: PixelFormatEnum, _width: u32, _height: u32) -> Result<Texture, String> {
            match *self {}
        }
    }

    pub enum Texture {}
}

pub mod gfx {
    pub mod primitives {
        use crate::pixels::Color;

        pub trait DrawRenderer {
            fn aa_polygon(&self, x: &[i16], y: &[i16], color: Color) -> Result<(), String>;
            fn filled_polygon(&self, x: &[i16], y: &[i16], color: Color) -> Result<(), String>;
            fn aa_circle(&self, x: i16, y: i16, radius: i16, color: Color) -> Result<(), String>;
            fn filled_circle(&self, x: i16, y: i16, radius: i16, color: Color) -> Result<(), String>;
            fn hline(&self, x1: i16, x2: i16, y: i16, color: Color) -> Result<(), String>;
            fn vline(&self, x: i16, y1: i16, y2: i16, color: Color) -> Result<(), String>;
        }

        impl DrawRenderer for crate::render::WindowCanvas {
            fn aa_polygon(&self, _: &[i16], _: &[i16], _: Color) -> Result<(), String> {
                match *self {}
            }
            fn filled_polygon(&self, _: &[i16], _: &[i16], _: Color) -> Result<(), String> {
                match *self {}
            }
            fn aa_circle(&self, _: i16, _: i16, _: i16, _: Color) -> Result<(), String> {
                match *self {}
            }
            fn filled_circle(&self, _: i16, _: i16, _: i16, _: Color) -> Result<(), String> {
                match *self {}
            }
            fn hline(&self, _: i16, _: i16, _: i16, _: Color) -> Result<(), String> {
                match *self {}
            }
            fn vline(&self, _: i16, _: i16, _: i16, _: Color) -> Result<(), String> {
                match *self {}
            }
        }
    }

    pub mod framerate {
        /// The one handle that the real crate makes without `init`: it counts time, and here there are no frames to time.
        #[derive(Default)]
        pub struct FPSManager;

        impl FPSManager {
            pub fn new() -> Self {
                Self
            }
            pub fn set_framerate(&mut self, _frames_per_second: u32) -> Result<(), String> {
                Ok(())
            }
            pub fn delay(&mut self) -> u32 {
                0
            }
        }
    }
}

pub mod pixels {
    pub enum PixelFormatEnum {
        RGB24,
    }

    #[derive(Clone, Copy)]
    pub struct Color {
        pub r: u8,
        pub g: u8,
        pub b: u8,
        pub a: u8,
    }

    impl Color {
        pub const BLACK: Self = Self::RGB(0, 0, 0);
        pub const WHITE: Self = Self::RGB(255, 255, 255);

        #[allow(non_snake_case, reason = "the name is sdl2's")]
        pub const fn RGB(r: u8, g: u8, b: u8) -> Self {
            Self { r, g, b, a: 255 }
        }
    }
}

pub mod rect {
    #[derive(Clone, Copy)]
    pub struct Point {
        pub x: i32,
        pub y: i32,
    }

    impl Point {
        pub const fn new(x: i32, y: i32) -> Self {
            Self { x, y }
        }
    }

    pub enum Rect {}
}
