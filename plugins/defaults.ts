/** The default plugins: providers from the environment, escalation and read-only tools. */
import type { Config, EscalationRule, Plugin } from 'polyphony/kit';

/** A subset of `Config`, so that a config can be passed. */
export interface DefaultPluginsOptions {
  /** Escalation for every answer whose request does not set its own. @default none */
  readonly escalate?: Config['escalate'] | undefined;
  /**
   * `folder`: what the file tools may read, @default the current directory; `http` adds `http_get`, @default false; `write` adds
   * `write_file` and `write_rows`, `request` adds `http_request`, @default neither
   */
  readonly tools?: Config['tools'] | undefined;
  /** The tools of MCP servers. @default none */
  readonly mcp?: Config['mcp'] | undefined;
  /** Add the providers from the environment. @default true */
  readonly providers?: boolean;
}

/** Imports only the requested plugins, all at the same time. */
export async function defaultPlugins(
  environment: Readonly<Record<string, string | undefined>>,
  options: DefaultPluginsOptions = {},
): Promise<readonly Plugin[]> {
  const { folder, http = false, write, request } = options.tools ?? {};
  const [
    { providersFromEnvironment },
    { escalation },
    { validators },
    { judge },
    { fileTools },
    { searchTools },
    { calculate },
    web,
    files,
    servers,
  ] = await Promise.all([
    import('./providers/environment.ts'),
    import('./escalation/escalation.ts'),
    import('./escalation/validators.ts'),
    import('./escalation/judge.ts'),
    import('./tools/files.ts'),
    import('./tools/files-search.ts'),
    import('./tools/calculate.ts'),
    http || request !== undefined ? import('./tools/http.ts') : undefined,
    write === undefined ? undefined : import('./tools/files-write.ts'),
    options.mcp === undefined ? undefined : import('./tools/mcp.ts'),
  ]);
  return [
    ...(options.providers === false ? [] : await providersFromEnvironment(environment)),
    escalation(options.escalate === undefined ? {} : { policy: ruleOf(options.escalate) }),
    validators(),
    judge(),
    fileTools(folder === undefined ? {} : { folder }),
    searchTools(folder === undefined ? {} : { folder }),
    calculate(),
    ...(web === undefined ? [] : [web.httpTool(request === undefined ? {} : { get: http, request, environment })]),
    ...(files === undefined || write === undefined ? [] : [files.writeTools(write)]),
    ...(servers === undefined || options.mcp === undefined ? [] : [servers.mcp({ servers: options.mcp, environment })]),
  ];
}

function ruleOf({ evaluator, to, below, context }: NonNullable<Config['escalate']>): EscalationRule {
  return {
    evaluator,
    to,
    ...(below === undefined ? {} : { below }),
    ...(context === undefined ? {} : { context }),
  };
}
