//! Keys with a name.

macro_rules! specials {
    ($($name:ident = $text:literal, $keysym:literal, $scan:expr, $usb:expr;)*) => {
        /// A key with a name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Special {
            $(#[doc = concat!("`<", $text, ">`")] $name,)*
        }

        impl Special {
            /// Every key, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in boot commands.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The X11 keysym.
            #[must_use]
            pub fn keysym(self) -> u32 {
                match self { $(Self::$name => $keysym,)* }
            }

            /// The PC-XT make code, with its `e0` prefix if it has one.
            #[must_use]
            pub fn scan_code(self) -> &'static [u8] {
                match self { $(Self::$name => &$scan,)* }
            }

            /// What a USB keyboard reports; `None` when it has no such key.
            pub(crate) fn usb(self) -> Option<Usb> {
                match self { $(Self::$name => $usb,)* }
            }
        }
    };
}

/// What a USB keyboard reports for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usb {
    /// A usage of the keyboard page.
    Usage(u8),
    /// A bit of the modifier byte.
    Modifier(u8),
}

const fn usage(code: u8) -> Option<Usb> {
    Some(Usb::Usage(code))
}

const fn modifier(bit: u8) -> Option<Usb> {
    Some(Usb::Modifier(bit))
}

specials! {
    Backspace = "bs", 0xFF08, [0x0e], usage(0x2a);
    Delete = "del", 0xFFFF, [0xe0, 0x53], usage(0x4c);
    Enter = "enter", 0xFF0D, [0x1c], usage(0x28);
    Return = "return", 0xFF0D, [0x1c], usage(0x28);
    Escape = "esc", 0xFF1B, [0x01], usage(0x29);
    F1 = "f1", 0xFFBE, [0x3b], usage(0x3a);
    F2 = "f2", 0xFFBF, [0x3c], usage(0x3b);
    F3 = "f3", 0xFFC0, [0x3d], usage(0x3c);
    F4 = "f4", 0xFFC1, [0x3e], usage(0x3d);
    F5 = "f5", 0xFFC2, [0x3f], usage(0x3e);
    F6 = "f6", 0xFFC3, [0x40], usage(0x3f);
    F7 = "f7", 0xFFC4, [0x41], usage(0x40);
    F8 = "f8", 0xFFC5, [0x42], usage(0x41);
    F9 = "f9", 0xFFC6, [0x43], usage(0x42);
    F10 = "f10", 0xFFC7, [0x44], usage(0x43);
    F11 = "f11", 0xFFC8, [0x57], usage(0x44);
    F12 = "f12", 0xFFC9, [0x58], usage(0x45);
    Tab = "tab", 0xFF09, [0x0f], usage(0x2b);
    Up = "up", 0xFF52, [0xe0, 0x48], usage(0x52);
    Down = "down", 0xFF54, [0xe0, 0x50], usage(0x51);
    Left = "left", 0xFF51, [0xe0, 0x4b], usage(0x50);
    Right = "right", 0xFF53, [0xe0, 0x4d], usage(0x4f);
    Spacebar = "spacebar", 0x0020, [0x39], usage(0x2c);
    Insert = "insert", 0xFF63, [0xe0, 0x52], usage(0x49);
    Home = "home", 0xFF50, [0xe0, 0x47], usage(0x4a);
    End = "end", 0xFF57, [0xe0, 0x4f], usage(0x4d);
    PageUp = "pageUp", 0xFF55, [0xe0, 0x49], usage(0x4b);
    PageDown = "pageDown", 0xFF56, [0xe0, 0x51], usage(0x4e);
    LeftAlt = "leftAlt", 0xFFE9, [0x38], modifier(0x04);
    RightAlt = "rightAlt", 0xFFEA, [0xe0, 0x38], modifier(0x40);
    LeftCtrl = "leftCtrl", 0xFFE3, [0x1d], modifier(0x01);
    RightCtrl = "rightCtrl", 0xFFE4, [0xe0, 0x1d], modifier(0x10);
    LeftShift = "leftShift", 0xFFE1, [0x2a], modifier(0x02);
    RightShift = "rightShift", 0xFFE2, [0x36], modifier(0x20);
    LeftSuper = "leftSuper", 0xFFEB, [0xe0, 0x5b], modifier(0x08);
    RightSuper = "rightSuper", 0xFFEC, [0xe0, 0x5c], modifier(0x80);
    LeftCommand = "leftCommand", 0xFFE9, [0xe0, 0x5b], modifier(0x08);
    RightCommand = "rightCommand", 0xFFEA, [0xe0, 0x5c], modifier(0x80);
    LeftOption = "leftOption", 0xFFE7, [0x38], modifier(0x04);
    RightOption = "rightOption", 0xFFE8, [0xe0, 0x38], modifier(0x40);
    Menu = "menu", 0xFF67, [0xe0, 0x5d], None;
}

impl Special {
    /// The key of a name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|special| special.name().eq_ignore_ascii_case(name))
    }
}
