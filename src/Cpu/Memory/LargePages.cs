using System.Runtime.InteropServices;

namespace LServe.Cpu;

/// <summary>
/// Memory that is read here and there, in pages of 2 MiB where the system has them: with 4 KiB ones nearly every KV page of a long context
/// costs several walks through the page tables, which under a hypervisor take longer than the data.
/// </summary>
internal static unsafe partial class LargePages
{
    private const nuint Size = 2 << 20;
    private const nuint CacheLine = 64;
    private const int HugePageAdvice = 14;

    /// <summary>Reserved; what was never written takes no memory.</summary>
    public static byte* Allocate(nuint bytes)
    {
        var large = OperatingSystem.IsLinux() && bytes >= Size;
        var memory = NativeMemory.AlignedAlloc(bytes, large ? Size : CacheLine);
        // Without such pages the system refuses, and nothing is lost.
        if (large) _ = Advise(memory, bytes, HugePageAdvice);
        return (byte*)memory;
    }

    public static void Free(byte* memory) => NativeMemory.AlignedFree(memory);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
