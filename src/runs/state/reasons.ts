/** Reasons of cancelled nodes. The first two stay cancelled when the run is resumed; all others run again. */

export const NOT_NEEDED = 'no node needs it any more';
export const DEPENDENCY_FAILED = 'a node that it depends on failed';
/** With `failFast: false`: when the run is resumed the failed node runs again, and so do these. */
export const BRANCH_FAILED = 'a node that it depends on failed, and the run fails at its end';
