/** What the modules hand to one another. For readers and editors: no page loads this. */

/**
 * What the transcript shows, one item per line.
 *
 * `when` names the parts of templates/chat/_message.html that are visible: "sending", "error",
 * "retry" (the same message again), "wait" (not yet), "edit" (put it back in the field),
 * "interrupted", "empty" (interrupted before the first word), "again" (ask once more), "copy".
 */
export type Item =
  | { kind: "day", key: string, at: string }
  | { kind: "typing", key: string, tool: string }
  | {
    kind: "message", key: string, author: string, name: string, text: string, html: string,
    at: string, isWriting: boolean, when: string, error: string, waitS: number,
  };

/**
 * How the connection is. "barred": it goes on trying, but another way of sending is better taken;
 * "expelled" (no valid cookie), "refused" and "stopped" are final.
 */
export type Status =
  | "connecting" | "connected" | "offline" | "barred" | "busy" | "expelled" | "refused" | "stopped";

/** A message that was sent but not accepted yet. */
export type Pending = { id: string, text: string, at: string, error?: Failure };
export type Failure = { code: string, message: string, retryAt: number };

/** A block of Markdown; `source` tells whether it changed. */
export type Block = {
  type: "paragraph" | "heading" | "code" | "list" | "quote" | "table" | "rule",
  source: string, text?: string, blocks?: Block[], items?: Block[][], rows?: string[][],
  start?: number,
};

export type Inline = string | {
  type: "strong" | "em" | "s" | "code" | "link" | "break", children?: Inline[], href?: string,
};

/** The answer being written, as far as this page holds it. `length` is in code points. */
export type Draft = { id: string, text: string, length: number };

/**
 * What the page knows of the conversation.
 *
 * `syncing`: `session.sync` is to be asked, or was; `buffered`: deltas that came meanwhile.
 * `touched`: something was said since `expiresAt` was told, so it is later by now.
 * `notice`: an error about no message in particular.
 * `hasEarlier`: there are messages before the first one here.
 */
export type State = {
  messages: object[], pending: Pending[], draft: Draft | null, waiting: string[],
  failed: Map<string, Failure>, speaker: "assistant" | "adviser", name: string, tool: string,
  stopping: boolean, asked: boolean, expiresAt: string, backend: string, degraded: boolean,
  ended: string, notice: Failure | null, syncing: boolean, buffered: object[], touched: boolean,
  hasEarlier: boolean,
};
