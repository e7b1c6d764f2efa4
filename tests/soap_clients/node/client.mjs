// npm `soap`, with its own WSSecurity and WSSecurityCert.
import fs from "node:fs";
import https from "node:https";
import soap from "soap";

const task = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const read = (path) => (path ? fs.readFileSync(path) : undefined);
const httpsAgent = new https.Agent({ ca: read(task.ca), cert: read(task.cert), key: read(task.key) });
const client = await soap.createClientAsync(task.wsdl, {
  wsdl_options: { httpsAgent },
  forceSoap12Headers: task.soap === "1.2",
});
if (task.signing_key) {
  const first = read(task.signing_cert).toString().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/)[0];
  client.setSecurity(
    new soap.WSSecurityCert(read(task.signing_key), first, "", {
      hasTimeStamp: true,
      signatureTransformations: ["http://www.w3.org/2001/10/xml-exc-c14n#"],
      signerOptions: { idMode: "wssecurity" },
    }),
  );
} else {
  client.setSecurity(new soap.WSSecurity(task.username, task.password, { passwordType: "PasswordDigest", hasTimeStamp: true }));
}
const answers = [];
for (const [operation, given] of task.calls) {
  try {
    const [answer] = await client[`${operation}Async`](given, { httpsAgent });
    answers.push(answer);
  } catch (error) {
    answers.push({ fault: String(error.response?.data ?? error) });
  }
}
console.log(JSON.stringify(answers));
