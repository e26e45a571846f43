/** What the logger gets. */
export interface LogConfig {
  /** The level of the line that each attempt leaves; `off`: there is none. @default 'debug' */
  readonly attempts?: 'debug' | 'info' | 'off';
}
