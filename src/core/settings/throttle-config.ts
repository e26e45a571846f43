/** How calls are held back before an endpoint refuses them. */
export interface ThrottleConfig {
  /** Keeps the limits on requests and tokens that endpoints announce in their answers. @default true */
  readonly announced?: boolean;
  /** The fewest requests at the same time that an endpoint gets after overloads, 1 to 10000. @default 4 */
  readonly leastConcurrency?: number;
}
