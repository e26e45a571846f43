/** Reasons of cancelled nodes that stay cancelled when the run is resumed; all others run again. */

export const NOT_NEEDED = 'no node needs it any more';
export const DEPENDENCY_FAILED = 'a node that it depends on failed';
