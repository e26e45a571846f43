/** What a request may become for a model that cannot take it as it is. */
export interface AdaptConfig {
  /** Models without tools get them described in the prompt, where no model with tools can serve the request. @default false */
  readonly toolsInPrompt?: boolean;
  /** `middle-out`: messages in the middle of a conversation that is too long for every model are left out. @default nothing is */
  readonly fit?: 'middle-out';
}

/** A text for the second of two models, where it answers because the first has failed. */
export interface FallbackPromptConfig {
  /** The model that was to answer, as `provider/model`; `*` for any. */
  readonly from: string;
  /** The model that answers in its place, as `provider/model`; `*` for any. */
  readonly to: string;
  /** Added behind the system messages, at most 10000 characters. */
  readonly text: string;
}
