// echo.js PORT
require("net").createServer({ noDelay: true }, (conn) => {
  conn.on("data", (bytes) => conn.write(bytes));
  conn.on("error", () => conn.destroy());
}).listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
