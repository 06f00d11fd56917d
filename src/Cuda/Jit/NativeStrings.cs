using System.Runtime.InteropServices;

namespace LServe.Cuda.Jit;

/// <summary>Zero-terminated UTF-8 strings and arrays of them, released together.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly List<nint> _blocks = [];

    public byte* One(string text)
    {
        var block = Marshal.StringToCoTaskMemUTF8(text);
        _blocks.Add(block);
        return (byte*)block;
    }

    public byte** Array(IEnumerable<string> texts)
    {
        var pointers = texts.Select(text => (nint)One(text)).ToArray();
        var block = Marshal.AllocCoTaskMem(Math.Max(1, pointers.Length) * sizeof(nint));
        _blocks.Add(block);
        Marshal.Copy(pointers, 0, block, pointers.Length);
        return (byte**)block;
    }

    public void Dispose()
    {
        foreach (var block in _blocks) Marshal.FreeCoTaskMem(block);
        _blocks.Clear();
    }
}
