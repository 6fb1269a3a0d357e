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

	maxWindow = 32 << 20 // of what was packed how far a decoder looks back
)

var (
	// errBomb says that a file inflates beyond reason.
	errBomb = fmt.Errorf("the file inflates to more than %d times its size: this is no snapshot", maxRatio)
	// errCut says that the end of a file is missing.
	errCut  = errors.New("the file is cut off")
	errLine = fmt.Errorf("the line has more than %d bytes", maxLine)
)

// A file is a snapshot file being read from front to back.
type file struct {
	path   string
	file   *os.File
	in     *counter
	zstd   *zstd.Decoder // of a file that is one stream of zstd; else nil
	frames *frames       // of a file of frames; else nil
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
	r   io.Reader // nil when somebody else reads and says how much with add
	in  *counter
	out int64
}

func (l *limiter) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if bomb := l.add(n); bomb != nil {
		return 0, bomb
	}
	return n, err
}

// add counts n inflated bytes.
func (l *limiter) add(n int) error {
	l.out += int64(n)
	if l.out > maxSize || l.out > freeSize && l.out/maxRatio > l.in.n {
		return errBomb
	}
	return nil
}

// inZstd reports whether a file that begins with head is in zstd, whose first
// frame may be one to skip.
func inZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")) ||
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], labelHead[1:4])
}

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
	head, err := plain.Peek(len(labelHead))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch packed := inZstd(head); {
	case namedZstd(f.path) && !packed:
		return errors.New("the name says zstd, the content is something else")
	case !packed:
		f.reader = plain
		return nil
	case framed(head):
		return f.startFrames(plain)
	}
	if f.zstd, err = zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err != nil {
		return err
	}
	f.reader = bufio.NewReaderSize(&limiter{r: f.zstd, in: f.in}, 64<<10)
	return nil
}

func (f *file) startFrames(in *bufio.Reader) error {
	z, err := newUnpacker(1)
	f.frames = &frames{in: in, limit: &limiter{in: f.in}, first: true}
	f.reader = bufio.NewReaderSize(&frameReader{frames: f.frames, zstd: z}, 64<<10)
	return err
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
			return nil, errLine
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
		return trimEnd(line), err
	}
}

// peek returns the first bytes, as many as there are up to n. What is wrong behind
// them is told to who reads on.
func (f *file) peek(n int) ([]byte, error) {
	head, err := f.reader.Peek(n)
	if len(head) > 0 || errors.Is(err, io.EOF) {
		err = nil
	}
	return head, err
}
