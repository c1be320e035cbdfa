// The tour in Go: what a command does with its surroundings. tour.wit says what each word does.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

func main() {
	word, rest := "", []string{}
	if len(os.Args) > 1 {
		word, rest = os.Args[1], os.Args[2:]
	}
	if err := do(word, append(rest, "", "")); err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
}

func do(word string, rest []string) error {
	words := rest[:len(rest)-2]
	switch word {
	case "arguments":
		for _, argument := range words {
			fmt.Println(argument)
		}
	case "environment":
		environment(words)
	case "upper":
		return upper(os.Stdin, os.Stdout)
	case "copy":
		return copyFile(rest[0], rest[1])
	case "list":
		return list(rest[0])
	case "remove":
		return os.Remove(rest[0])
	case "sleep":
		return sleep(rest[0])
	case "exit":
		code, _ := strconv.Atoi(rest[0])
		os.Exit(code)
	case "crash":
		panic("asked to")
	case "spin":
		fmt.Println("ready")
		for turns := 0; ; turns++ {
		}
	default:
		fmt.Fprintf(os.Stderr, "tour: what is '%s'?\n", word)
		os.Exit(2)
	}
	return nil
}

func environment(names []string) {
	for _, name := range names {
		if value, found := os.LookupEnv(name); found {
			fmt.Printf("%s=%s\n", name, value)
		} else {
			fmt.Printf("%s is not set\n", name)
		}
	}
}

func upper(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if _, failed := out.Write(bytes.ToUpper(line)); failed != nil {
			return failed
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err = io.Copy(target, source); err != nil {
		return err
	}
	return target.Close()
}

func list(path string) error {
	entries, err := os.ReadDir(path) // sorted by name
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
	return err
}

func sleep(text string) error {
	milliseconds, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	length, before := time.Duration(milliseconds)*time.Millisecond, time.Now()
	time.Sleep(length)
	if time.Since(before) < length {
		fmt.Println("woke too early")
	} else {
		fmt.Println("slept")
	}
	return nil
}
