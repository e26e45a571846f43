/** The built-in tools, and those of MCP servers. */
export interface ToolsConfig {
  /** Offers `http_get`, to public addresses only. @default false */
  readonly http?: boolean;
  /** The folder that `read_file`, `list_files` and `read_rows` may read. @default the working folder */
  readonly folder?: string;
  /** Offers `write_file` and `write_rows`, below one folder. @default neither */
  readonly write?: WriteConfig;
  /** Offers `http_request`, to the hosts that it names. @default not offered */
  readonly request?: RequestConfig;
}

export interface WriteConfig {
  /** Files are written below it; it is made where it is missing. */
  readonly folder: string;
  /** Of one file. @default 8388608 */
  readonly maxBytes?: number;
  /** Marks texts in a CSV that a spreadsheet would run as a formula. @default false */
  readonly escapeFormulas?: boolean;
}

export interface RequestConfig {
  /** Host names that requests may be sent to, 1 to 100: `api.example.org`, `*.example.org`. */
  readonly hosts: readonly string[];
  /** By name: what a plan may send without seeing it. @default none */
  readonly secrets?: Readonly<Record<string, RequestSecretConfig>>;
}

export interface RequestSecretConfig {
  /** The environment variable that holds it. */
  readonly env: string;
  /** The hosts that it is sent to, 1 to 100, in the form of `hosts`. */
  readonly hosts: readonly string[];
  /** The header that carries it. @default 'authorization' */
  readonly header?: string;
  /** Written before the value. @default 'Bearer ' for authorization, else nothing */
  readonly prefix?: string;
}

/** Either `command` or `url`. */
export interface McpServerConfig {
  /** The program to start; it speaks over its standard input and output. */
  readonly command?: string;
  /** Its arguments, at most 100. @default none */
  readonly args?: readonly string[];
  /** The folder that it runs in. @default the working folder */
  readonly cwd?: string;
  /** Variables that it gets, each from a variable of this process. @default `PATH`, `HOME` and their like only */
  readonly env?: Readonly<Record<string, McpSecretConfig>>;
  /** The address of a server over streamable HTTP: https:, or http: on this machine. */
  readonly url?: string;
  /** Headers of every request to `url`, each from a variable of this process. @default none */
  readonly headers?: Readonly<Record<string, McpSecretConfig>>;
  /** The tools that are offered, by the names that the server gives them, at most 200. @default all of them */
  readonly tools?: readonly string[];
  /** Calls that a person approves: of tools that the server does not mark as read-only, of all, of none. @default 'writes' */
  readonly approve?: 'writes' | 'all' | 'none';
  /** Models may take what its tools return for your own word. @default false */
  readonly trusted?: boolean;
  /** Limit of one call, in milliseconds, up to 3600000. @default 60000 */
  readonly timeoutMs?: number;
  /** Limit of starting it and reading its list, in milliseconds, up to 3600000. @default 10000 */
  readonly startMs?: number;
}

export interface McpSecretConfig {
  /** The environment variable that holds the value. */
  readonly env: string;
  /** Written before the value. @default 'Bearer ' for authorization, else nothing */
  readonly prefix?: string;
}
