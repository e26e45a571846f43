/** What a simulation assumes where nothing was observed. docs/how-to/simulate.md lists it, and every report says it. */

/** The spread of times and of lengths of answers: the standard deviation of their logarithms. */
export const TIME_SIGMA = 0.5;
export const LENGTH_SIGMA = 0.4;
/** As many observed attempts weigh as much as the figure of the card. */
export const PRIOR_ATTEMPTS = 5;
/** Chance that an answer scores too low, so that the next model is asked. */
export const ESCALATION_CHANCE = 0.3;
/** Chance that a `repeat` takes one more round. */
export const ROUND_CHANCE = 0.5;
/** Attempts after the first at a target that fails. */
export const MOST_RETRIES = 2;
/** Units that one simulation may start: nodes, items and rounds, over all its runs. */
export const MOST_UNITS = 2_000_000;
export const MOST_RUNS = 100_000;
/** Nodes whose speed is tried, and the runs for each. */
export const TRIED_NODES = 8;
export const TRIED_RUNS = 200;
