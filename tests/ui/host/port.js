// The worker's line to its page, kept before the DOM is put into the worker's scope.

const { postMessage, addEventListener, importScripts } = self;

export const send = postMessage.bind(self);
export const listen = (receive) => addEventListener.call(self, 'message', ({ data }) => receive(data));
export const load = importScripts.bind(self);
