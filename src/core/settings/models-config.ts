/** What a user knows of models. */
/** What you know of a model yourself. Figures go before those of its card and those that were measured. */
export interface ModelConfig {
  /** By field of work, 0 to 1, on the scale of cards: `code`, `reasoning`, `tools`, `planning`. @default as measured */
  readonly strengths?: Readonly<Record<string, number>>;
  /** The tier that requests and plans choose it by. @default that of its card */
  readonly tier?: 'fast' | 'balanced' | 'premium';
  /** Expected milliseconds of a short answer. @default as measured */
  readonly expectedMs?: number;
  /** Expected milliseconds until the first token. @default as measured */
  readonly firstTokenMs?: number;
  /** Expected tokens a second after the first. @default as measured */
  readonly tokensPerSecond?: number;
  /** BCP 47 tags of languages in which you measured it, at most 200. @default as measured */
  readonly measuredLanguages?: readonly string[];
  /** Where its data is kept, such as by a contract of yours: `none` admits regulated data. @default that of its card */
  readonly retention?: 'none' | 'provider' | 'unknown';
  /** Regions in which it runs, at most 100. @default those of its card */
  readonly regions?: readonly string[];
  /** What the tools of a request may use with it. @default that of its card */
  readonly toolSupport?: ToolSupportConfig;
  /** Its stage, and the date as YYYY-MM-DD from which it is not used. @default that of its card */
  readonly lifecycle?: ModelLifecycleConfig;
}

/** What schemas of tools the model can work with. */
export interface ToolSupportConfig {
  /** Most tools in one request. @default any number */
  readonly count?: number;
  /** Deepest nesting of objects and lists in the input of a tool; 1 for plain fields. @default any */
  readonly depth?: number;
  /** `enum` and `const`. @default true */
  readonly enums?: boolean;
  /** `anyOf`, `oneOf`, `allOf`, and several types of one field. @default true */
  readonly unions?: boolean;
  /** `$ref`. @default true */
  readonly references?: boolean;
  /** What becomes of a request with something else: it is sent with a warning, or the model is not asked. @default 'warn' */
  readonly otherwise?: 'warn' | 'refuse';
}

export interface ModelLifecycleConfig {
  /** A retired model is not used. */
  readonly stage: 'preview' | 'stable' | 'deprecated' | 'retired';
  /** The date as YYYY-MM-DD from which it is not used. @default none */
  readonly endsOn?: string;
  /** The model that new sessions get in its place once it is deprecated or ends soon, also where they ask for it by name. @default none */
  readonly replacedBy?: string;
}
