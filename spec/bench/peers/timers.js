// timers.js PORT: 100,000 timers that fire once a second. Who connects gets the count of calls.
let fired = 0;
for (let i = 0; i < 100000; i++) setInterval(() => { fired++; }, 1000);
require("net").createServer((conn) => conn.end(`${fired}\n`))
  .listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
