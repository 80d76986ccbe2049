// http.js PORT
const http = require("http");

http.createServer({ noDelay: true }, (request, response) => {
  const language = request.headers["accept-language"];
  const body = language && language.startsWith("de") ? "hallo\n" : "hello\n";
  response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": body.length });
  response.end(body);
}).listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
