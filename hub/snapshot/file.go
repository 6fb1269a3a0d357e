package snapshot

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/twinrules/twinrules/hub/twin"
)

// What is read of a file at the most. A twin has at most 8 KB of tags and twice
// 32 KB of properties, and metadata that is a few times larger.
const (
	maxLine  = 4 << 20
	maxSize  = 256 << 30
	maxRatio = 500      // inflated bytes for each byte of the file
	freeSize = 64 << 20 // inflated bytes before the ratio counts
)

var (
	// errBomb says that a file inflates beyond reason.
	errBomb = fmt.Errorf("the file inflates to more than %d times its size: this is no snapshot", maxRatio)
	// errCut says that the end of a file is missing.
	errCut = errors.New("the file is cut off")
)

// A file is a snapshot file being read from front to back.
type file struct {
	path   string
	file   *os.File
	in     *counter
	zstd   *zstd.Decoder // nil for a plain file
	reader *bufio.Reader
	line   int  // lines read so far
	cut    bool // the last line read has no end
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// A limiter refuses to inflate a small file into a huge one. The decoder's own
// limits bound its memory, not what it delivers.
type limiter struct {
	r   io.Reader
	in  *counter
	out int64
}

func (l *limiter) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	l.out += int64(n)
	if l.out > maxSize || l.out > freeSize && l.out/maxRatio > l.in.n {
		return 0, errBomb
	}
	return n, err
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

func namedZstd(path string) bool {
	ext := filepath.Ext(path)
	return ext == ".zst" || ext == ".zstd"
}

func openFile(path string) (*file, error) {
	// Looked at before it is opened: opening a pipe waits for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	handle, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, file: handle, in: &counter{r: handle}}
	if err := f.start(); err != nil {
		handle.Close()
		return nil, f.at(err)
	}
	return f, nil
}

func (f *file) start() error {
	plain := bufio.NewReaderSize(f.in, 64<<10)
	magic, err := plain.Peek(len(zstdMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	compressed := bytes.Equal(magic, zstdMagic)
	if namedZstd(f.path) && !compressed {
		return errors.New("the name says zstd, the content is something else")
	}
	if !compressed {
		f.reader = plain
		return nil
	}
	if f.zstd, err = zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(32<<20)); err != nil {
		return err
	}
	f.reader = bufio.NewReaderSize(&limiter{r: f.zstd, in: f.in}, 64<<10)
	return nil
}

// Close closes the file.
func (f *file) Close() error {
	if f.zstd != nil {
		f.zstd.Close()
	}
	return f.file.Close()
}

// at names the file and the line in err.
func (f *file) at(err error) error {
	var syntax *twin.SyntaxError
	if errors.Is(err, io.ErrUnexpectedEOF) || f.cut && errors.As(err, &syntax) {
		err = errCut
	}
	if f.line == 0 {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return fmt.Errorf("%s:%d: %w", f.path, f.line, err)
}

// next returns the next line without its end; io.EOF behind the last. The line
// is the caller's.
func (f *file) next() ([]byte, error) {
	var line []byte
	for {
		part, err := f.reader.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			f.line++
			return nil, fmt.Errorf("the line has more than %d bytes", maxLine)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) && len(line) > 0 {
			f.cut, err = true, nil
		}
		if err == nil {
			f.line++
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}

// peek returns the first bytes, as many as there are up to n.
func (f *file) peek(n int) ([]byte, error) {
	head, err := f.reader.Peek(n)
	if errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return head, err
}
