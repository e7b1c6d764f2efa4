// An independent reader of our log: Go's own checksum-database packages (golang.org/x/mod/sumdb), nothing of ours.
// Reads over the net, checks the checkpoint's signature, every tile against the signed root, every entry against its leaf, an inclusion
// proof for every leaf, consistency from every size given, and the proofs that our server computes itself.
//
// usage: verify_log BASE_URL CA_FILE VERIFIER_KEY SIZE...
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type reader struct {
	base   string
	client *http.Client
}

func must(err error) {
	if err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
}

func (r *reader) get(path string) []byte {
	answer, err := r.client.Get(r.base + path)
	must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	if answer.StatusCode != 200 {
		must(fmt.Errorf("%s: %s %s", path, answer.Status, body))
	}
	return body
}

// Height is that of C2SP tlog-tiles: 256 hashes a tile.
func (r *reader) Height() int { return 8 }

func (r *reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		found = append(found, r.get("/"+strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
	}
	return found, nil
}

func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}

func hashes(text []byte) []tlog.Hash {
	var found []tlog.Hash
	for _, line := range strings.Fields(string(text)) {
		hash, err := tlog.ParseHash(line)
		must(err)
		found = append(found, hash)
	}
	return found
}

func main() {
	ca, err := os.ReadFile(os.Args[2])
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	r := &reader{os.Args[1], &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}}
	verifier, err := note.NewVerifier(os.Args[3])
	must(err)
	signed, err := note.Open(r.get("/checkpoint"), note.VerifierList(verifier))
	must(err)
	origin, rest, _ := strings.Cut(signed.Text, "\n")
	if origin != verifier.Name() {
		must(fmt.Errorf("origin %q is not the signer's name", origin))
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	must(err)
	tiles := tlog.TileHashReader(tree, r)
	leaves := 0
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		path := fmt.Sprintf("/tile/entries/%03d", first/256)
		if width < 256 {
			path += fmt.Sprintf(".p/%d", width)
		}
		bundle := r.get(path)
		for n := first; len(bundle) > 0; n++ {
			length := int(binary.BigEndian.Uint16(bundle))
			hash := tlog.RecordHash(bundle[2 : 2+length])
			bundle = bundle[2+length:]
			proof, err := tlog.ProveRecord(tree.N, n, tiles)
			must(err)
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, n, hash))
			leaves++
		}
	}
	if int64(leaves) != tree.N {
		must(fmt.Errorf("%d entries, %d leaves signed", leaves, tree.N))
	}
	for _, text := range os.Args[4:] {
		size, err := strconv.ParseInt(text, 10, 64)
		must(err)
		old, err := tlog.TreeHash(size, tiles)
		must(err)
		proof, err := tlog.ProveTree(tree.N, size, tiles)
		must(err)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, size, old))
		served := hashes(r.get(fmt.Sprintf("/consistency/%d/%d", size, tree.N)))
		must(tlog.CheckTree(served, tree.N, tree.Hash, size, old))
	}
	fmt.Printf("verified %d leaves\n", leaves)
}
