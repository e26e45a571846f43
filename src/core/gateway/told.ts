/** Fields of every event of the gateway. Plain JSON without keys and without texts of calls. */
export interface Told {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `warn`: an operator may want to act. */
  readonly level: 'info' | 'warn';
  /** A sentence for people; programs read the other fields. */
  readonly message: string;
}
