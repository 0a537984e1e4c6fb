//! A continuous-time Markov chain: the states it can be in, how often it goes from one to the other, and what share
//! of the time it is in each in the long run. It knows nothing of servers.

use std::collections::BTreeMap;

use ims::Fail;

/// How many states are solved; it takes the cube of them.
const MOST: usize = 800;

/// A chain that can come back to where it began from wherever it is.
#[derive(Debug)]
pub struct Chain<S> {
    states: Vec<S>,
    /// The rate from each state to each other, row by row.
    rates: Vec<f64>,
}

impl<S: Clone + Ord> Chain<S> {
    /// Finds every state that can be come to from the first one. `next` gives the rates out of a state; a pair that
    /// is named twice counts with the sum.
    pub fn explore(first: S, next: impl Fn(&S) -> Vec<(f64, S)>) -> Result<Self, Fail> {
        let mut numbers = BTreeMap::from([(first.clone(), 0)]);
        let mut states = vec![first];
        let mut ways: Vec<(usize, usize, f64)> = Vec::new();
        let mut from = 0;
        while let Some(state) = states.get(from).cloned() {
            for (rate, to) in next(&state) {
                let known = numbers.len();
                let to_number = *numbers.entry(to.clone()).or_insert(known);
                if to_number == known {
                    states.push(to);
                }
                ways.push((from, to_number, rate));
            }
            if states.len() > MOST {
                return Err(Fail::usage(format!("the model has more than {MOST} states, too many to solve"))
                    .hint("fewer primaries or fewer standbys"));
            }
            from += 1;
        }
        let mut chain = Self { rates: vec![0.0; states.len() * states.len()], states };
        for (from, to, rate) in ways.into_iter().filter(|(from, to, _)| from != to) {
            chain.set(from, to, chain.rate(from, to) + rate);
        }
        Ok(chain)
    }

    /// How many states there are.
    pub const fn len(&self) -> usize {
        self.states.len()
    }

    fn rate(&self, from: usize, to: usize) -> f64 {
        self.rates.get(from * self.len() + to).copied().unwrap_or(0.0)
    }

    fn set(&mut self, from: usize, to: usize, rate: f64) {
        let width = self.len();
        if let Some(cell) = self.rates.get_mut(from * width + to) {
            *cell = rate;
        }
    }

    /// The states, each with its share of the time in the long run.
    ///
    /// Gaussian elimination in the order of Grassmann, Taksar and Heyman (Operations Research 33, 1985): one state
    /// after the other is taken out, and its time given to those it goes to. Nothing is ever subtracted, so that
    /// also a share of 1e-12 has all its digits.
    pub fn solve(mut self) -> Vec<(S, f64)> {
        for out in (1..self.len()).rev() {
            let leaves: f64 = (0..out).map(|to| self.rate(out, to)).sum();
            for from in 0..out {
                let share = self.rate(from, out) / leaves;
                self.set(from, out, share);
                for to in (0..out).filter(|to| *to != from) {
                    let rate = self.rate(from, to) + share * self.rate(out, to);
                    self.set(from, to, rate);
                }
            }
        }
        let mut shares: Vec<f64> = vec![1.0];
        for back in 1..self.len() {
            let share = shares.iter().enumerate().map(|(from, share)| share * self.rate(from, back)).sum();
            shares.push(share);
        }
        let sum: f64 = shares.iter().sum();
        self.states.into_iter().zip(shares).map(|(state, share)| (state, share / sum)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_fails_and_is_repaired_is_down_for_its_share_of_the_time() {
        let next = |up: &bool| if *up { vec![(0.01, false)] } else { vec![(2.0, true)] };
        let shares = Chain::explore(true, next).unwrap().solve();
        let down: f64 = shares.iter().filter(|(up, _)| !up).map(|(_, share)| share).sum();
        assert!((down / (0.01 / 2.01) - 1.0).abs() < 1e-14, "{down}");
    }

    #[test]
    fn the_number_that_is_up_is_binomial_also_where_it_is_next_to_never() {
        // Six parts, each on its own: the share of all being down is the sixth power, 1e-24.
        let (fail, repair) = (1e-4, 1.0 - 1e-4);
        let next = |down: &u32| {
            let mut ways = Vec::new();
            if *down < 6 {
                ways.push((f64::from(6 - down) * fail, down + 1));
            }
            if *down > 0 {
                ways.push((f64::from(*down) * repair, down - 1));
            }
            ways
        };
        let shares = Chain::explore(0, next).unwrap().solve();
        assert_eq!(shares.len(), 7);
        let all = shares.iter().find(|(down, _)| *down == 6).unwrap().1;
        assert!((all / 1e-24 - 1.0).abs() < 1e-12, "{all}");
    }

    #[test]
    fn the_shares_of_any_chain_balance() {
        // A ring with shortcuts, its rates of no pattern: what goes in and out of each state is the same.
        let next = |at: &u32| -> Vec<(f64, u32)> {
            vec![(1.0 + f64::from(*at), (at + 1) % 9), (0.3 * f64::from(at % 4), (at * 5 + 2) % 9)]
        };
        let shares = Chain::explore(0, next).unwrap().solve();
        for (state, share) in &shares {
            let ways = |from: &u32| next(from).into_iter().filter(|(_, to)| to != from).collect::<Vec<_>>();
            let out: f64 = ways(state).iter().map(|(rate, _)| rate * share).sum();
            let into: f64 = shares
                .iter()
                .flat_map(|(from, held)| ways(from).into_iter().map(move |(rate, to)| (rate * held, to)))
                .filter(|(_, to)| to == state)
                .map(|(flow, _)| flow)
                .sum();
            assert!((out - into).abs() < 1e-12, "{state}: {out} out, {into} in");
        }
    }

    #[test]
    fn a_chain_that_is_too_large_is_refused_and_not_begun() {
        let fail = Chain::explore(0u32, |at| vec![(1.0, at + 1), (1.0, 0)]).unwrap_err();
        assert_eq!(fail.exit(), ims::Exit::Usage);
    }
}
