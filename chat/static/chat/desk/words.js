/** Numbers and moments as the staff read them. The server's own: chat/web/desk/labels.py. */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const ENDINGS = {
  stopped: "arrêtée par le client",
  interrupted: "interrompue",
  taken_over: "coupée par une prise de main",
  lost: "reprise par un autre processus",
};
const BADGES = {
  ended: "close",
  asked: "attend un conseiller",
  answering: "répond",
  interrupted: "interrompue",
  idle: "en attente",
};

/** @returns {string} "premier mot 340 ms · en tout 2,1 s · outils : … · 812 + 143 jetons" */
export function numbersOf(turn) {
  if (!turn) return "";
  const { ending = "done", tools = [] } = turn;
  return [
    isNumber(turn.first_text_ms) && `premier mot ${milliseconds(turn.first_text_ms)}`,
    isNumber(turn.total_ms) && `en tout ${milliseconds(turn.total_ms)}`,
    tools.length > 0 && `outils : ${tools.join(", ")}`,
    isNumber(turn.prompt_tokens) && `${turn.prompt_tokens} + ${turn.completion_tokens ?? 0} jetons`,
    ending !== "done" && (ENDINGS[ending] ?? `échec : ${ending}`),
  ].filter(Boolean).join(" · ");
}

function isNumber(value) {
  return typeof value === "number";
}

/** @returns {string} "340 ms" or "2,1 s" */
export function milliseconds(count) {
  if (count < 1000) return `${Math.round(count)} ms`;
  return `${(count / 1000).toFixed(1)} s`.replace(".", ",");
}

/** @returns {string} how long until the moment: "23 h 12", "5 min", or "expirée" */
export function timeLeft(moment, now) {
  const leftMs = Date.parse(moment) - now;
  if (!(leftMs > 0)) return "expirée";
  if (leftMs < MINUTE_MS) return `${Math.floor(leftMs / 1000)} s`;
  const minutes = Math.floor((leftMs % HOUR_MS) / MINUTE_MS);
  if (leftMs < HOUR_MS) return `${minutes} min`;
  const hours = Math.floor(leftMs / HOUR_MS);
  if (hours >= 48) return `${Math.floor(hours / 24)} j`;
  return minutes ? `${hours} h ${String(minutes).padStart(2, "0")}` : `${hours} h`;
}

/** @returns {string} what the badge of this key says */
export function badgeWords(badge, holder) {
  return badge === "held" ? `tenue par ${holder.name}` : BADGES[badge];
}

/** @returns {string} "français" */
export function languageWords(code) {
  return code ? new Intl.DisplayNames(["fr"], { type: "language" }).of(code) : "inconnue";
}
