//! Times as a line of bars.

use std::time::Duration;

use ims::State;

/// How bars are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bars {
    /// In blocks of eight heights.
    Blocks,
    /// For a terminal that knows no more than ASCII.
    Ascii,
}

impl Bars {
    /// What the locale can show.
    pub fn of_locale() -> Self {
        let named = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os);
        let locale = named.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::Blocks } else { Self::Ascii }
    }

    const fn heights(self) -> [char; 8] {
        match self {
            Self::Blocks => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Self::Ascii => ['_', '.', ',', '-', '=', '+', '*', '#'],
        }
    }

    /// The times of an endpoint, each as high as its share of the longest; `!` for what was down, `?` for unknown.
    pub fn of<'t>(self, times: impl Iterator<Item = &'t (State, Duration)> + Clone) -> String {
        let heights = self.heights();
        let longest = times.clone().map(|(_, time)| time.as_micros()).max().unwrap_or(0).max(1);
        times
            .map(|(state, time)| match state {
                State::Up | State::Partial => {
                    let height = usize::try_from(time.as_micros() * 7 / longest).unwrap_or(7);
                    heights.get(height).copied().unwrap_or('#')
                }
                State::Down => '!',
                State::Unknown => '?',
            })
            .collect()
    }
}
