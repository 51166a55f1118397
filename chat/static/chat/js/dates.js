/** Moments as a reader says them, in the reader's own time zone, and how near the end is. */

const DAY_MS = 24 * 3600 * 1000;
const SOON_MS = 3600 * 1000;
const ASK_AGAIN_MS = 30_000;

const hours = {};

/** @returns {string} "09:30" */
export function timeLabel(moment, language) {
  hours[language] ??= new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  return hours[language].format(new Date(moment));
}

/** @returns {string} "2026-11-23", the same for two moments of one day */
export function dayKey(moment) {
  const day = new Date(moment);
  const parts = [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

/** @returns {string} "Aujourd’hui", "Hier" or "Lundi 23 novembre" */
export function dayLabel(moment, now, language) {
  const ago = Math.round((noonOf(now) - noonOf(moment)) / DAY_MS);
  const label = ago === 0 || ago === 1
    ? new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day")
    : new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" })
      .format(new Date(moment));
  return label.charAt(0).toLocaleUpperCase(language) + label.slice(1);
}

/** Whether less than an hour is left. */
export function isSoon(expiresAt, now) {
  return expiresAt !== "" && Date.parse(expiresAt) - now < SOON_MS;
}

/**
 * Whether to ask the server: the end seems near though something was said since it was told, or
 * it has passed and nothing was heard of it.
 */
export function wantsSync({ expiresAt, touched, syncing }, now, askedAt) {
  if (syncing || !isSoon(expiresAt, now) || now - askedAt < ASK_AGAIN_MS) return false;
  return touched || Date.parse(expiresAt) < now;
}

function noonOf(moment) {
  const day = new Date(moment);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), 12);
}
