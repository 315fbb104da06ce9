//! Where a long text is cut.
//!
//! A pair (escape and code, or two surrogates) is one step and cannot be split. Among the cuts that lead to the
//! fewest parts, the last one that tears no visible character is taken; only if there is none, the last of all.

use crate::cluster::is_border;
use crate::encoding::PARTS_LIMIT;

/// Most cuts a message can have.
const CUTS_MAX: usize = PARTS_LIMIT as usize - 1;

/// Cuts a text of `parts` parts, which must be the least number that `capacity` allows and at most [`PARTS_LIMIT`].
pub(crate) struct Cutter<'a, Units> {
    text: &'a str,
    start: usize,
    parts_left: usize,
    capacity: usize,
    units: Units,
    /// At place n, where a part must start at the earliest so that n + 1 parts hold the rest of the text. Worked out
    /// when a cut first has to look for a better place.
    earliest: Option<[usize; CUTS_MAX]>,
}

impl<'a, Units: Fn(char) -> u32> Cutter<'a, Units> {
    pub(crate) fn new(text: &'a str, parts: u16, capacity: u32, units: Units) -> Self {
        Self { text, start: 0, parts_left: usize::from(parts), capacity: capacity as usize, units, earliest: None }
    }

    /// The furthest this part can reach.
    fn reach(&self) -> usize {
        let mut filled = 0;
        for (index, character) in self.text[self.start..].char_indices() {
            filled += (self.units)(character) as usize;
            if filled > self.capacity {
                return self.start + index;
            }
        }
        self.text.len()
    }

    /// Where the next part must start at the earliest, so that `parts_after` parts can hold the rest.
    fn earliest(&mut self, parts_after: usize) -> usize {
        let Self { text, capacity, units, .. } = self;
        let earliest = self.earliest.get_or_insert_with(|| {
            let mut earliest = [0; CUTS_MAX];
            let mut filled = 0;
            let mut complete = 0;
            for (index, character) in text.char_indices().rev() {
                let units = units(character) as usize;
                filled += units;
                if filled > *capacity {
                    let Some(border) = earliest.get_mut(complete) else {
                        break;
                    };
                    *border = index + character.len_utf8();
                    complete += 1;
                    filled = units;
                }
            }
            earliest
        });
        parts_after.checked_sub(1).and_then(|place| earliest.get(place)).copied().unwrap_or(0)
    }

    /// The best place to end the part that starts at `self.start`.
    fn cut(&mut self) -> usize {
        let reach = self.reach();
        if is_border(self.text, reach) {
            return reach;
        }
        let earliest = self.earliest(self.parts_left).max(self.start + 1);
        let text = self.text;
        // The choice is narrow: nothing before `earliest` may be looked at, and no part is longer than its capacity.
        (earliest..reach).rev().find(|at| text.is_char_boundary(*at) && is_border(text, *at)).unwrap_or(reach)
    }
}

impl<'a, Units: Fn(char) -> u32> Iterator for Cutter<'a, Units> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.parts_left == 0 {
            return None;
        }
        self.parts_left -= 1;
        let end = if self.parts_left == 0 { self.text.len() } else { self.cut() };
        let piece = &self.text[self.start..end];
        self.start = end;
        Some(piece)
    }
}
