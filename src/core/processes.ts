/** Who answers for what is kept in a store, such as a lease or a hold: a process, of which others can ask whether it lives. */

export interface Processes {
  /** Names this process: its host, its id and the time of its start. Others may add to it after a `#`. */
  self(): string;
  /**
   * Whether the process lives that `name` begins with. Undefined when this cannot be told from here: a process of another
   * host or container, or a name of another form. Then its lease decides.
   */
  isAlive(name: string): boolean | undefined;
}
