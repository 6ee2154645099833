//! The picture of a screen, put together from the server's updates.

use vnc::{Rect, VncEvent};

use crate::error::VncError;

/// A picture of a screen.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
    /// Red, green and blue of each pixel, row by row from the top left.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {})", self.width, self.height)
    }
}

impl Picture {
    /// The picture as a PNG file.
    ///
    /// # Errors
    ///
    /// [`VncError::Png`] when it is empty.
    pub fn to_png(&self) -> Result<Vec<u8>, VncError> {
        let mut file = Vec::new();
        let mut encoder =
            png::Encoder::new(&mut file, u32::from(self.width), u32::from(self.height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rgb)?;
        writer.finish()?;
        Ok(file)
    }
}

/// What is known of the screen.
#[derive(Default)]
pub(crate) struct Screen {
    width: u16,
    height: u16,
    rgb: Vec<u8>,
    /// Whether each pixel came in since the last [`Self::expect`].
    fresh: Vec<bool>,
    /// How many did not.
    stale: usize,
}

impl Screen {
    fn resize(&mut self, width: u16, height: u16) {
        let pixels = usize::from(width) * usize::from(height);
        self.width = width;
        self.height = height;
        self.rgb = vec![0; pixels * 3];
        self.fresh = vec![false; pixels];
        self.stale = pixels;
    }

    /// Forgets which pixels are known, because all of them were asked for.
    pub(crate) fn expect(&mut self) {
        self.fresh.fill(false);
        self.stale = self.fresh.len();
    }

    /// The picture, when all of it came in.
    pub(crate) fn picture(&self) -> Option<Picture> {
        (self.stale == 0 && !self.rgb.is_empty()).then(|| Picture {
            width: self.width,
            height: self.height,
            rgb: self.rgb.clone(),
        })
    }

    /// Takes one update; whether the screen has a new size, so that it must be asked for again.
    pub(crate) fn apply(&mut self, event: &VncEvent) -> bool {
        match event {
            VncEvent::SetResolution(size) => {
                let changed = (self.width, self.height) != (size.width, size.height);
                if changed {
                    self.resize(size.width, size.height);
                }
                return changed;
            }
            VncEvent::RawImage(area, bytes) => self.paint(area, bytes),
            VncEvent::Copy(to, from) => self.copy(to, from),
            _ => {}
        }
        false
    }

    /// The part of row `y` that `area` covers, as a range of pixels; empty outside of the screen.
    fn row(&self, area: &Rect, row: u16) -> std::ops::Range<usize> {
        let y = usize::from(area.y) + usize::from(row);
        let left = usize::from(area.x).min(usize::from(self.width));
        let right = (usize::from(area.x) + usize::from(area.width)).min(usize::from(self.width));
        if y >= usize::from(self.height) {
            return 0..0;
        }
        let start = y * usize::from(self.width);
        start + left..start + right
    }

    /// Paints four bytes for each pixel: blue, green, red and one unused.
    fn paint(&mut self, area: &Rect, bytes: &[u8]) {
        let width = usize::from(area.width).max(1);
        for (row, line) in (0..area.height).zip(bytes.chunks_exact(width * 4)) {
            for (pixel, source) in self.row(area, row).zip(line.as_chunks::<4>().0) {
                self.rgb[pixel * 3..pixel * 3 + 3]
                    .copy_from_slice(&[source[2], source[1], source[0]]);
                self.stale -= usize::from(!std::mem::replace(&mut self.fresh[pixel], true));
            }
        }
    }

    fn copy(&mut self, to: &Rect, from: &Rect) {
        let lines: Vec<Vec<u8>> = (0..from.height)
            .map(|row| {
                let pixels = self.row(from, row);
                let line = &self.rgb[pixels.start * 3..pixels.end * 3];
                line.as_chunks::<3>()
                    .0
                    .iter()
                    .flat_map(|[r, g, b]| [*b, *g, *r, 0])
                    .collect()
            })
            .collect();
        for (row, line) in (0..to.height).zip(lines) {
            let area = Rect {
                x: to.x,
                y: to.y.saturating_add(row),
                width: to.width,
                height: 1,
            };
            self.paint(&area, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use vnc::{Rect, VncEvent};

    use super::Screen;

    fn area(x: u16, y: u16, width: u16, height: u16) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn is_complete_when_every_pixel_came_in() {
        let mut screen = Screen::default();
        assert!(screen.apply(&VncEvent::SetResolution((2, 2).into())));
        assert!(!screen.apply(&VncEvent::SetResolution((2, 2).into())));
        screen.apply(&VncEvent::RawImage(
            area(0, 0, 2, 1),
            vec![3, 2, 1, 0, 6, 5, 4, 0],
        ));
        assert_eq!(screen.picture(), None);
        screen.apply(&VncEvent::Copy(area(0, 1, 2, 1), area(0, 0, 2, 1)));
        let picture = screen.picture().expect("complete");
        assert_eq!(picture.rgb, [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
        assert_eq!(picture.to_png().expect("packs")[1..4], *b"PNG");
        screen.expect();
        assert_eq!(screen.picture(), None);
    }

    #[test]
    fn ignores_what_lies_outside() {
        let mut screen = Screen::default();
        screen.apply(&VncEvent::SetResolution((1, 1).into()));
        screen.apply(&VncEvent::RawImage(area(0, 0, 3, 3), vec![9; 36]));
        screen.apply(&VncEvent::RawImage(area(5, 5, 1, 1), vec![1; 4]));
        assert_eq!(screen.picture().expect("complete").rgb, [9, 9, 9]);
    }
}
