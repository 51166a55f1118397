/** Photos to and from the server. XMLHttpRequest sends them: `fetch` tells no progress. */
import { WORDS } from "./words.js";

const URL_OF_PHOTOS = "/photos/";
const JSON_WANTED = "application/json";
const LONGEST_MS = 300_000;

/** What went wrong, for the customer. */
export class Failure extends Error {
  constructor(message, canRetry) {
    super(message);
    this.canRetry = canRetry;
  }
}

/** @returns {Failure} what an answer that is no success says */
export function failureOf(status, body) {
  const canRetry = status === 0 || status === 429 || status >= 500;
  const otherwise = status === 413 ? WORDS.tooLarge : WORDS.failed;
  return new Failure(typeof body?.detail === "string" ? body.detail : otherwise, canRetry);
}

/**
 * @param {string} token of the page's forms
 * @param {typeof XMLHttpRequest} [Request]
 */
export function createExchange(token, Request = globalThis.XMLHttpRequest, ask = (...what) => fetch(...what)) {
  return {
    send: (file, tell, signal) => new Promise((resolve, reject) => {
      const request = new Request();
      request.open("POST", URL_OF_PHOTOS);
      request.setRequestHeader("Accept", JSON_WANTED);
      request.setRequestHeader("X-CSRFToken", token); // looked at before the photo is read
      request.responseType = "json";
      request.timeout = LONGEST_MS;
      request.upload.addEventListener("progress", ({ loaded, total, lengthComputable }) => {
        if (lengthComputable) tell(loaded / total);
      });
      request.addEventListener("load", () => {
        const { status, response } = request;
        if (status === 201 && response?.photo) resolve(response.photo);
        else reject(failureOf(status, response));
      });
      for (const cut of ["error", "timeout", "abort"]) {
        request.addEventListener(cut, () => reject(new Failure(WORDS.offline, true)));
      }
      signal.addEventListener("abort", () => request.abort());
      const form = new FormData();
      form.set("photo", file, file.name || "photo");
      request.send(form);
    }),
    withdraw: async (id) => {
      const headers = { Accept: JSON_WANTED, "X-CSRFToken": token };
      await asked(ask, `${URL_OF_PHOTOS}${id}/delete/`, { method: "POST", headers });
    },
    list: async () => {
      const answer = await asked(ask, URL_OF_PHOTOS, { headers: { Accept: JSON_WANTED } });
      return (await answer.json()).photos;
    },
  };
}

async function asked(ask, url, options) {
  let answer;
  try {
    answer = await ask(url, options);
  } catch {
    throw new Failure(WORDS.offline, true);
  }
  if (answer.ok) return answer;
  throw failureOf(answer.status, await answer.json().catch(() => null));
}
