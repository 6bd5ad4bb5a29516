//! Standard output, on which text of a server cannot move the cursor of a terminal.

use std::io::{self, IsTerminal as _, Stdout, Write};

/// Standard output. On a terminal, control characters are escaped as JSON does it, apart from the ends of lines.
pub(crate) struct StandardOutput {
    out: Stdout,
    is_terminal: bool,
    /// Whether the first byte of a character such as U+009B was written, and the second one was not.
    is_inside: bool,
}

impl StandardOutput {
    pub(crate) fn new() -> Self {
        let out = io::stdout();
        Self { is_terminal: out.is_terminal(), out, is_inside: false }
    }
}

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_terminal {
            return self.out.write(bytes);
        }
        let shown = escaped(bytes, &mut self.is_inside);
        self.out.write_all(&shown).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The first byte of U+0080 to U+00BF in UTF-8, of which U+0080 to U+009F are control characters.
const OF_CONTROLS: u8 = 0xc2;

fn escaped(bytes: &[u8], is_inside: &mut bool) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        let was_inside = std::mem::take(is_inside);
        let is_control = match byte {
            b'\n' | b'\t' => false,
            0x80..=0x9f if was_inside => true,
            0..0x20 | 0x7f => true,
            _ => false,
        };
        if was_inside && !(is_control && byte >= 0x80) {
            shown.push(OF_CONTROLS);
        }
        if is_control {
            shown.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else if byte == OF_CONTROLS {
            *is_inside = true;
        } else {
            shown.push(byte);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_however_the_text_is_cut() {
        let text = "a\u{1b}[2J\u{9b}1m\u{7f}\tü\u{c2}\u{a0}\u{85}\n\u{7}é";
        let expected = "a\\u001b[2J\\u009b1m\\u007f\tü\u{c2}\u{a0}\\u0085\n\\u0007é";
        for size in 1..=text.len() {
            let mut is_inside = false;
            let shown: Vec<u8> = text.as_bytes().chunks(size).flat_map(|part| escaped(part, &mut is_inside)).collect();
            assert_eq!(String::from_utf8(shown).unwrap(), expected, "{size}");
        }
    }
}
