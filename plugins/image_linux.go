package plugins

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"

	"golang.org/x/sys/unix"
)

// An image is the memory of a snapshot as a file that is nowhere in a file system
// and that nobody can change. Guests map it privately: they share its pages until
// they write to them, and the kernel says which those are.
type image struct {
	file    *os.File
	pagemap *os.File // what the kernel says of this process's memory
	size    int
}

// smallImage is the size below which comparing all of a memory takes less time than
// asking the kernel, which was measured to take 0.8 µs, as much as 32 KiB.
const smallImage = 128 << 10

// newImage returns an image of pages, or nil for a memory that is better compared.
// Its error is about a system that has no such files, or does not tell what was
// written, as sandboxes do that only look like Linux.
func newImage(pages [][]byte) (*image, error) {
	if len(pages)*page < smallImage {
		return nil, nil
	}
	i := &image{size: len(pages) * page}
	err := i.open()
	if err == nil {
		err = i.fill(pages)
	}
	if err == nil {
		err = i.try(pages)
	}
	if err != nil {
		_ = i.Close()
		return nil, fmt.Errorf("map memory: %w", err)
	}
	return i, nil
}

func (i *image) open() error {
	fd, err := unix.MemfdCreate("twinrules-plugin", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	i.file = os.NewFile(uintptr(fd), "twinrules-plugin")
	i.pagemap, err = os.Open("/proc/self/pagemap")
	return err
}

// fill writes every page, so that none has to be found when it is first read, and
// seals the file.
func (i *image) fill(pages [][]byte) error {
	for _, p := range pages {
		if _, err := i.file.Write(p); err != nil {
			return err
		}
	}
	seals := unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	_, err := unix.FcntlInt(i.file.Fd(), unix.F_ADD_SEALS, seals)
	return err
}

var errNotTold = errors.New("the system does not tell which memory was written")

// try writes to a mapping and makes sure that this is told, and that it can be
// undone in both ways.
func (i *image) try(pages [][]byte) error {
	m, err := i.guest()
	if err != nil {
		return err
	}
	defer m.Free()
	last := &m.view[len(m.view)-1]
	before := *last
	for _, undo := range []func() bool{func() bool { return m.copyBack(pages) }, m.drop} {
		_ = m.view[0] // so that there is a page which is mapped and not written
		*last = ^before
		if !m.ask() || m.wrote(0) || !m.wrote(len(m.entries)/pageEntry-1) || !undo() || *last != before {
			return errNotTold
		}
	}
	return nil
}

// Close gives back what i holds besides its mappings, whose guests do so.
func (i *image) Close() error {
	return errors.Join(i.file.Close(), i.pagemap.Close())
}

// guest maps i for a guest.
func (i *image) guest() (*mapping, error) {
	view, err := unix.Mmap(int(i.file.Fd()), 0, i.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	n := i.size / os.Getpagesize() * pageEntry
	at := int64(reflect.ValueOf(view).Pointer()) / int64(os.Getpagesize()) * pageEntry
	return &mapping{pagemap: i.pagemap, view: view, at: at, entries: make([]byte, n)}, nil
}

// A mapping is the memory of one guest, an experimental.LinearMemory that starts as
// an image. Beyond the size of that it is moved into a slice, and cannot be put back.
type mapping struct {
	view  []byte
	moved []byte // nil until it grows beyond view
	turn  int    // calls that were undone

	pagemap *os.File
	at      int64  // the place in pagemap
	entries []byte // the last answer, one for each page of the system
}

// Reallocate implements experimental.LinearMemory.
func (m *mapping) Reallocate(size uint64) []byte {
	if size <= uint64(len(m.view)) {
		return m.view[:size:size]
	}
	if m.moved == nil {
		m.moved = append(m.moved, m.view...)
	}
	m.moved = append(m.moved, make([]byte, size-uint64(len(m.moved)))...)
	return m.moved
}

// Free implements experimental.LinearMemory.
func (m *mapping) Free() {
	if m.view != nil {
		_ = unix.Munmap(m.view) // it is mapped
	}
	m.view = nil
}

// restore makes m hold pages again. It is false when m has been moved or the system
// fails, and then the memory may hold anything.
func (m *mapping) restore(pages [][]byte) bool {
	if m.moved != nil {
		return false
	}
	if m.turn++; m.turn%often == 0 {
		return m.drop()
	}
	return m.ask() && m.copyBack(pages)
}

// drop forgets all that was written, so that m is its image.
func (m *mapping) drop() bool {
	return unix.Madvise(m.view, unix.MADV_DONTNEED) == nil
}

// pageEntry is the size of what /proc/pid/pagemap says of a page, see
// Documentation/admin-guide/mm/pagemap.rst.
const pageEntry = 8

const (
	entryPresent = 1 << 63
	entrySwapped = 1 << 62
	entryFile    = 1 << 61 // of a file, or shared: not a page of the process's own
)

func (m *mapping) ask() bool {
	n, _ := m.pagemap.ReadAt(m.entries, m.at)
	return n == len(m.entries)
}

// wrote reports whether a page of the system is one that was written: it is there,
// and no longer the file's.
func (m *mapping) wrote(i int) bool {
	e := binary.LittleEndian.Uint64(m.entries[i*pageEntry:])
	return e&(entryPresent|entrySwapped) != 0 && e&entryFile == 0
}

// copyBack copies the pages that were written.
func (m *mapping) copyBack(pages [][]byte) bool {
	each := len(m.view) / (len(m.entries) / pageEntry) / page // pages in one of the system's
	for i := range len(m.entries) / pageEntry {
		if !m.wrote(i) {
			continue
		}
		for n := i * each; n < (i+1)*each; n++ {
			copy(m.view[n*page:], pages[n])
		}
	}
	return true
}
