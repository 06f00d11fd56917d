using System.Buffers;

namespace LServe.Cpu;

/// <summary>Memory of a page as files are read into it. Whoever has one must be done before the pages are freed.</summary>
internal sealed unsafe class PageMemory(byte* data, int length) : MemoryManager<byte>
{
    public override Span<byte> GetSpan() => new(data, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(data + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
