//! What a picture is made of, before it is SVG or pixels.

use super::theme::Ink;

/// A place, in pixels from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A rectangle, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Thickness of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Medium,
}

/// A text on one line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    /// On the base line.
    pub(super) at: Spot,
    pub(super) anchor: Anchor,
    pub(super) weight: Weight,
    /// Pixels of an em.
    pub(super) size: f64,
    pub(super) ink: Ink,
    pub(super) content: String,
}

/// A shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// A filled rectangle, its corners rounded.
    Rectangle { area: Area, radius: f64, ink: Ink },
    /// A filled polygon.
    Polygon { spots: Vec<Spot>, ink: Ink },
    /// A line through places, with round joints.
    Line { spots: Vec<Spot>, width: f64, ink: Ink },
    /// A horizontal dashed line to the right.
    Dashes { start: Spot, length: f64, ink: Ink },
    /// Filled circles.
    Dots { spots: Vec<Spot>, radius: f64, ink: Ink },
    /// A text.
    Text(Text),
}

/// Length of a dash and of the gap behind it.
pub(super) const DASH: f64 = 5.0;

/// Thickness of a dashed line.
pub(super) const DASH_WIDTH: f64 = 1.0;

/// Shapes from the bottom to the top.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    pub(super) fn rectangle(&mut self, area: Area, ink: Ink) {
        self.shapes.push(Shape::Rectangle { area, radius: 0.0, ink });
    }

    pub(super) fn text(&mut self, text: Text) {
        self.shapes.push(Shape::Text(text));
    }
}

impl Area {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(super) fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }
}
