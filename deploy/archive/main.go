// Command archive packs a folder so that the same files give the same bytes: sorted
// names, one time for all, no owner. It writes NAME.tar.gz, or NAME.zip for windows, and
// is used by deploy/dist.
//
// usage: archive EPOCH PARENT NAME OUT OS
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 5 {
		return errors.New("usage: archive EPOCH PARENT NAME OUT OS")
	}
	seconds, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a time in seconds: %w", args[0], err)
	}
	at, parent, name, out := time.Unix(seconds, 0).UTC(), args[1], args[2], args[3]
	ending, pack := ".tar.gz", writeTar
	if args[4] == "windows" {
		ending, pack = ".zip", writeZip
	}
	file, err := os.Create(filepath.Join(out, name+ending))
	if err != nil {
		return err
	}
	return errors.Join(pack(file, os.DirFS(parent), name, at), file.Close())
}

// writeTar writes the folder name of root as tar with gzip.
func writeTar(w io.Writer, root fs.FS, name string, at time.Time) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression) // its header has no name and no time
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	err = walk(root, name, func(path string, info fs.FileInfo, content []byte) error {
		header := &tar.Header{Name: path, Mode: int64(info.Mode().Perm()), Size: int64(len(content)), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if info.IsDir() {
			header.Name, header.Typeflag = path+"/", tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	})
	return errors.Join(err, archive.Close(), packed.Close())
}

// writeZip is writeTar for zip.
func writeZip(w io.Writer, root fs.FS, name string, at time.Time) error {
	archive := zip.NewWriter(w)
	err := walk(root, name, func(path string, info fs.FileInfo, content []byte) error {
		if info.IsDir() {
			return nil // zip needs no folders
		}
		header := &zip.FileHeader{Name: path, Method: zip.Deflate, Modified: at}
		header.SetMode(info.Mode().Perm())
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return err
	})
	return errors.Join(err, archive.Close())
}

// walk visits a folder and all below it, in the order of their names. content is nil for folders.
func walk(root fs.FS, name string, visit func(path string, info fs.FileInfo, content []byte) error) error {
	return fs.WalkDir(root, name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.IsDir() {
			return visit(path, info, nil)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", path)
		}
		content, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		return visit(path, info, content)
	})
}
